"""Laboratories: processes solved exactly, gradients in closed form, variance measured."""
