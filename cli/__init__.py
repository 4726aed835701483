"""`fatefed`, the operator's command, and the typed functions behind it.

It reads, renders, or edits stack files and descriptor files; nothing here changes a cluster. The functions take a
`cli.tools.project.Stack` and return plain data; `cli.main` only parses arguments and prints.
"""
