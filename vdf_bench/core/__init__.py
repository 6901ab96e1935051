"""What flows between the steps and what a plug-in must do: values, interfaces, cards, the registry."""
