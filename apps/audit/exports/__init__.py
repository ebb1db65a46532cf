"""The forms in which the trail leaves the portal, beside the bundle of everything."""
