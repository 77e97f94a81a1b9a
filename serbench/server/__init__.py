"""A trained model behind HTTP and WebSocket, with one page to try it on; needs the extra `serve`."""
