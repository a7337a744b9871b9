"""A fit shared by processes of this machine."""
