"""Links by FATE's own proxies and brokers: their route files."""
