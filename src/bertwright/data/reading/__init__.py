"""Every form in which people have labelled texts, to examples."""
