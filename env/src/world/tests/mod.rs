//! Claims about whole worlds.
