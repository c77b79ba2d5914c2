"""The canonical model for other services: a read-only HTTP API with audiences, pages and entity tags.

tokens (who asks) → resources (what that audience may see) → app (HTTP); openapi describes it all from resources.
"""
