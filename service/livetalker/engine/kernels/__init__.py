"""The compiled kernels: where installing puts their libraries, and how Python calls them."""
