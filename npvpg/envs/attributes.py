"""Questions to each sub-environment of a vector environment that holds them in arrays."""

from abc import abstractmethod
from typing import Any

from gymnasium.vector import VectorEnv
from numpy.typing import NDArray


class AttributesVectorEnv(VectorEnv[NDArray[Any], NDArray[Any], NDArray[Any]]):
    """`call`, `get_attr` and `set_attr` as Gymnasium's own vector environments have them."""

    @abstractmethod
    def attribute(self, i: int, name: str) -> Any:
        """
        Attribute of one sub-environment.

        Parameters
        ----------
        i : int
            Which one.
        name : str
            The attribute.

        Returns
        -------
        Any
            Its value.

        Raises
        ------
        AttributeError
            If sub-environments have no such attribute.
        """

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """
        Ask every sub-environment.

        Parameters
        ----------
        name : str
            An attribute, or a method, which is called.
        *args, **kwargs : Any
            What the method gets.

        Returns
        -------
        tuple
            The answers.
        """
        values = (self.attribute(i, name) for i in range(self.num_envs))
        return tuple(value(*args, **kwargs) if callable(value) else value for value in values)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """
        Attribute of every sub-environment.

        Parameters
        ----------
        name : str
            The attribute.

        Returns
        -------
        tuple
            Its values.
        """
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """
        Change an attribute of the sub-environments, where compiled code can follow.

        Parameters
        ----------
        name : str
            The attribute.
        values : list, tuple or Any
            One value for each, or one for all.

        Raises
        ------
        AttributeError
            If it is compiled in or there is none.
        ValueError
            If the values are of the wrong number or kind.
        """
        raise AttributeError(f"{name} of {self} is compiled in, or there is none: it stays")
