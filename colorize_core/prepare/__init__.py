"""What is done to scans before they are coloured: damage filled, the dots of newspaper print
removed, album pages split."""
