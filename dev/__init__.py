"""Commands of the developer's machine: demo, tests and the services they need."""
