"""The console: what happens in a browser, made on the server and whole without a script.

A door beside the API: it calls services and the store, never the API. One rule: nothing comes from another host.
"""
