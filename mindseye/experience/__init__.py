"""What worlds leave behind, and how it becomes batches."""
