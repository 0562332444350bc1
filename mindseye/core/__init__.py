"""The vocabulary: types, protocols, errors, runs. Imports nothing of ours."""
