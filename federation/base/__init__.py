"""The small words that everything else uses: scalars, errors, names, YAML and JSON files."""
