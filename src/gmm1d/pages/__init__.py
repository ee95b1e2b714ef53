"""What all HTML pages share: charts, style, scripts, templates."""
