//! Files: discovery, `joch.yaml`, ignore rules.
