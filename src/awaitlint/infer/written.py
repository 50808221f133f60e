"""What annotations say that containers and attributes hold, not what was seen to be put into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.index import facts as f
from awaitlint.infer.containers import Containers
from awaitlint.infer.values import FunctionValue, Instance, Value, without_none

if TYPE_CHECKING:
    from awaitlint.index.modules import Module

#: how far a container is followed to where its type is written
_DEPTH = 3


class Written(Containers):
    """Finds the annotations of containers."""

    def is_written(self, module: Module, node: int, depth: int = 0) -> bool:
        """Whether what a container holds is written in an annotation, not read off what was put into it."""
        nodes = module.facts.nodes
        fact = nodes[node]
        if node < 0 or depth > _DEPTH:
            return False
        if isinstance(fact, (f.Param, f.Declared)):
            return True
        if isinstance(fact, f.Attr):
            owner = self.value(module, fact.value)
            return self.declared_attribute(without_none(owner), fact.name) is not None
        if isinstance(fact, f.Phi):
            return all(self.is_written(module, option, depth + 1) for option in fact.options)
        if isinstance(fact, (f.Narrow, f.Index, f.Iter, f.Unpack, f.Await)):
            return self.is_written(module, fact.value, depth + 1)
        if isinstance(fact, (f.Name, f.Free)):
            scope = module.facts.scopes[fact.scope if isinstance(fact, f.Free) else 0]
            bound = scope.bindings.get(fact.name, ())
            return bool(bound) and isinstance(nodes[bound[0]], (f.Param, f.Declared))
        if isinstance(fact, f.Call):
            func = self.value(module, fact.func)
            if not isinstance(func, FunctionValue) or func.fact.returns < 0:
                return False
            # what a type variable stands for may come from a container that is not written
            return not self.has_type_vars(self.annotation(func.module, func.fact.returns, func.context))
        return False

    def field(self, value: Value, key: str) -> Value | None:
        """What a key of a TypedDict is declared to hold; None where that is no key of it, or no TypedDict."""
        if not isinstance(value, Instance) or not self.has_base(value.cls, "typing._TypedDict"):
            return None
        return self.declared_attribute(value, key)

    def parameter_of_receiver(self, func: FunctionValue, index: int) -> Value | None:
        """What a method's parameter is, with the type arguments of its receiver."""
        receiver = func.receiver
        annotation = func.fact.params[index].annotation
        if annotation < 0 or not isinstance(receiver, Instance):
            return None
        for entry in self.mro(receiver.cls):
            if entry is not None and entry.module is func.module and entry.scope == func.fact.parent:
                return self.substitute(
                    self.annotation(func.module, annotation), self.class_mapping(entry), receiver
                )
        return None

    def declared_attribute(self, owner: Value, name: str) -> Value | None:
        """What the class of an instance declares an attribute to be, by an annotation."""
        if not isinstance(owner, Instance):
            return None
        for entry in self.mro(owner.cls):
            if entry is None:
                return None
            fact = entry.fact
            nodes = entry.module.facts.nodes
            for node in (*fact.bindings.get(name, ()), *fact.attributes.get(name, ())):
                found = nodes[node]
                if isinstance(found, f.Declared):
                    declared = self.annotation(entry.module, found.annotation)
                    return self.substitute(declared, self.class_mapping(entry)) if entry.args else declared
            if name in fact.bindings:
                return None
        return None
