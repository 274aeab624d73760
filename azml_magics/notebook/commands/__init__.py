"""The verbs of %azureml, one module for each group."""
