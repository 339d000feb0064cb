"""People in a photograph: their faces, their skin, and a closer look at them."""
