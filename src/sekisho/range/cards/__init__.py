"""An authority that is none, and its cards: for trying out how somebody proves who they are."""
