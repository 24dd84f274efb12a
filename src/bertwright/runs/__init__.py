"""The folder of a run: what is saved, and how a run goes on."""
