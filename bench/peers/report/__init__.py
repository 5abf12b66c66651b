"""From stored runs to the page that tells about them: numbers, targets, pictures, text."""
