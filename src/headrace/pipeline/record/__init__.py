"""What can be proven? Folds what the journal and the chain say into executions."""
