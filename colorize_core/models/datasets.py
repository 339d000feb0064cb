"""What the models that are trained here have learned from."""

PHOTOGRAPHS = (
    "49,147 photographs at 128 x 128 pixels from MIRFLICKR-25k (Creative Commons, each its own), "
    "100 sports and garments (CC0), SUN RGB-D, SYSU-Scene, buildings, houses and Flickr (research "
    "data sets), Clothing Co-Parsing (Apache-2.0), landscapes, and cats, dogs and pandas (no terms "
    "stated)"
)
