"""What Sphinx does for this documentation beside reading its pages."""
