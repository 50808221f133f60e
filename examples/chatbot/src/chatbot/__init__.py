"""A webhook service that answers messages with a language model."""
