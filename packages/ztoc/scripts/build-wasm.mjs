// placeholder, replaced with the engine
