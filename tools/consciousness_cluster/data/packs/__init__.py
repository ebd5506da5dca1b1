"""Preference packs: folders of anybody's preferences that are asked in place of the 20."""
