"""The steps from one version of the tables to the next; a step that was released is never changed."""
