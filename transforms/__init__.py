"""From raw columns to coordinates: the one preprocessing that training and serving share."""
