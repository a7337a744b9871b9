"""Whether customers keep their segment ids when nothing about them changes, retrain after retrain."""
