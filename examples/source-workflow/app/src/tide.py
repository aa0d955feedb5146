TIDE = "high"
