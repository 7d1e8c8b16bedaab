"""The small parts that the views are put together from."""
