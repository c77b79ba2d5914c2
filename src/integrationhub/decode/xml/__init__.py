"""XML extracts: flat lists of elements, streamed, validated, decoded to columns, with every dangerous thing refused."""
