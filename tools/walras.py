# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads walras run files (docs/run-file.md) as data frames and xarray datasets, and plots them.

    import walras                               # with tools/ on PYTHONPATH
    run = walras.load("a1.h5")
    run.task, run.seed, run.scenario            # scenario: all defaults filled in, as nested dicts
    run.frame("design")                         # columns of a group, with its scales as the index
    run.dataset("solution")                     # as an xarray.Dataset, with labelled states
    run.plot().figure.savefig("a1.png")         # what the task is about
    walras.load("sweep.h5").frame("summary")    # a row a run; .runs() are the single ones

dataset() needs xarray, plot() matplotlib.
"""
import json

import h5py
import numpy
import pandas
from h5py.h5ds import is_scale


def load(path):
    """The run file at a path; a file that is no run file of format 1 is a ValueError."""
    with h5py.File(path, "r") as file:
        if (file.attrs.get("format"), file.attrs.get("format_version")) != ("walras", 1):
            raise ValueError(f"{path}: not a walras run file of format 1")
    return Run(path)


def _values(dataset):
    """Numbers, or texts as str."""
    return dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]


def _dims(dataset):
    """Names of the dimensions: of their scales, of those without one NAME_0, NAME_1, ..."""
    name = dataset.name.rpartition("/")[2]
    return tuple(dim[0].name.rpartition("/")[2] if len(dim) else f"{name}_{i}"
                 for i, dim in enumerate(dataset.dims))


def _labels(dataset):
    """Values of the scales of all dimensions; 0, 1, 2, ... where there is none."""
    return [_values(dim[0]) if len(dim) else numpy.arange(size)
            for dim, size in zip(dataset.dims, dataset.shape)]


class Run:
    """A run file, or a run in the file of a sweep. The file is opened anew for each question."""

    def __init__(self, path, group="/"):
        self.path, self.group = path, group
        with h5py.File(path, "r") as file:
            self.attributes = dict(file[group].attrs)
            self.scenario = json.loads(_values(file[group]["scenario/resolved"]))
        self.task, self.seed = self.attributes["task"], int(self.attributes["seed"])

    def __repr__(self):
        return f"<walras {self.task}: {self.path} {self.group}>"

    def groups(self):
        """Paths of all groups: "trace", "design/reference", ..."""
        found = {}
        with h5py.File(self.path, "r") as file:
            file[self.group].visititems(found.__setitem__)
            return [path for path, item in found.items() if isinstance(item, h5py.Group)]

    def runs(self):
        """{number: run} of a sweep: of those that did not fail, unless it keeps its table alone."""
        with h5py.File(self.path, "r") as file:
            return {int(name.removeprefix("run_")): Run(self.path, f"/runs/{name}")
                    for name in list(file[self.group].get("runs", ()))}

    def array(self, path):
        """A dataset as numpy has it, as array("solution/policy")."""
        with h5py.File(self.path, "r") as file:
            return _values(file[self.group][path])

    def attribute(self, path, name):
        """An attribute of a group or dataset, as attribute("auction", "total_revenue")."""
        with h5py.File(self.path, "r") as file:
            return file[self.group][path].attrs[name]

    def frame(self, group, dims=None):
        """The datasets of a group that have these dimensions as columns; the scales are the index.
        dims: their names, as "stage" or ("stage", "state"), () for scalars (a row); left out, those
        that most have, () only if there are no others."""
        with h5py.File(self.path, "r") as file:
            sets = {name: item for name, item in file[self.group][group].items()
                    if isinstance(item, h5py.Dataset) and not is_scale(item.id)}
            shapes = [_dims(item) for item in sets.values()]
            most = max([shape for shape in shapes if shape] or [()], key=shapes.count)
            dims = most if dims is None else (dims,) if isinstance(dims, str) else tuple(dims)
            chosen = {name: item for name, item in sets.items() if _dims(item) == dims}
            if not chosen:
                raise KeyError(f"{group}: no dataset has {dims}; there are {sorted(set(shapes))}")
            labels = _labels(next(iter(chosen.values())))
            index = pandas.MultiIndex.from_product(labels, names=dims) if len(dims) > 1 else \
                pandas.Index(*(labels or [[0]]), name=dims[0] if dims else None)
            columns = {name: numpy.ravel(_values(item)) for name, item in chosen.items()}
            return pandas.DataFrame(columns, index)

    def dataset(self, group):
        """All of a group as an xarray.Dataset. Coordinates are the scales, and what /axes says of
        states and actions: row, column, action_name, ...; state_value where `value` is taken."""
        import xarray
        variables, coordinates = {}, {}
        with h5py.File(self.path, "r") as file:
            run = file[self.group]
            items = [(name, item, variables) for name, item in run[group].items()
                     if isinstance(item, h5py.Dataset) and not is_scale(item.id)]
            used = {dim for _, item, _ in items for dim in _dims(item)}
            taken = used | {name for name, _, _ in items}
            items += [(f"{_dims(item)[0]}_{name}" if name in taken else name, item, coordinates)
                      for name, item in run.get("axes", {}).items()
                      if group != "axes" and not is_scale(item.id) and _dims(item)[0] in used]
            for name, item, where in items:
                dims = _dims(item)
                unique = tuple(dim if dim not in dims[:i] else f"{dim}_{i}"
                               for i, dim in enumerate(dims))  # win rates: a method, a method
                attributes = {word: item.attrs[word] for word in ("units", "long_name")}
                where[name] = (unique, _values(item), attributes)
                coordinates.update({dim: values for dim, values, scale in
                                    zip(unique, _labels(item), item.dims) if len(scale)})
        return xarray.Dataset(variables, coordinates,
                              {"task": self.task, "seed": self.seed, "path": self.path})

    def plot(self, what=None, axes=None):
        """Plots a dataset, by name or path, into matplotlib axes, and returns them: lines along its
        dimension, or an image; a mean_field of a grid as a map, of the last stage. Left out, what
        the task is about."""
        import matplotlib.pyplot as plt
        axes = axes or plt.subplots(layout="constrained")[1]
        if what is None and "simulation" in self.groups():
            return self._estimates(axes)
        usual = "summary/objective" if self._has("summary/objective") else USUAL[self.task]
        path = self._find(what or usual)
        with h5py.File(self.path, "r") as file:
            item = file[self.group][path]
            values, dims, labels = item[()], _dims(item), _labels(item)
            axes.set_title(item.attrs["long_name"], wrap=True, fontsize="small")
            title = f"{path.rpartition('/')[2]} [{item.attrs['units']}]".replace(" [1]", "")
        if path.endswith("mean_field") or len(dims) == 2 and min(values.shape) > 12:
            image, dims = self._image(path, values, dims)
            drawn = axes.imshow(image, aspect="auto", origin="lower", interpolation="nearest")
            axes.figure.colorbar(drawn, ax=axes, label=title)
            axes.set(xlabel=dims[1], ylabel=dims[0])
            return axes
        if dims[1:2] == ("seed",):  # of steerings and transfers: the mean
            values, dims, labels = values.mean(axis=1), dims[:1] + dims[2:], labels[:1] + labels[2:]
        if len(dims) not in (1, 2):
            raise ValueError(f"{path} has the dimensions {dims}: plot a part of array({path!r})")
        # Lines run along the last dimension, but for columns of /trace, which begin with it.
        flip = dims[0] in ("iteration", "step", "agents")
        lines = numpy.atleast_2d(values.T if flip else values)
        along, others = (0, 1) if flip else (-1, 0)
        for i, line in enumerate(lines):
            name = f"{dims[others]} {labels[others][i]}" if len(dims) == 2 else None
            axes.plot(labels[along], line, "o" if dims[along] == "run" else ".-", label=name)
        if dims[along] in ("episode", "round", "agents"):
            axes.set(xscale="log", yscale="log")
        elif path.startswith("trace/") and (lines > 0).all():
            axes.set_yscale("log")
        axes.set(xlabel=dims[along], ylabel=title)
        if len(dims) == 2:
            axes.legend()
        return axes

    def _find(self, what):
        """The path of a dataset, given by path or by name."""
        for path in (what, *(f"{group}/{what}" for group in self.groups())):
            if self._has(path):
                return path
        raise KeyError(f"{self.path}: no dataset {what}")

    def _has(self, path):
        with h5py.File(self.path, "r") as file:
            return isinstance(file[self.group].get(path), h5py.Dataset)

    def _image(self, path, values, dims):
        if not (path.endswith("mean_field") and self._has("axes/row") and self._has("axes/column")):
            return values, dims
        cells = self.array("axes/row"), self.array("axes/column")
        image = numpy.zeros([cell.max() + 1 for cell in cells])
        numpy.add.at(image, cells, values[-1])  # states of a cell are added
        return image, ("row", "column")

    def _estimates(self, axes):
        rows = self.frame("simulation").set_index("quantity")
        axes.errorbar(rows.index, rows.estimate, 2 * rows.standard_error, fmt="o",
                      label="estimate, 2 standard errors")
        axes.plot(rows.index, rows.exact, "x", label="exact")
        axes.legend()
        return axes


USUAL = {"solve": "trace/exploitability", "design": "design/objective",
         "sweep": "summary/exploitability_last", "steer": "steering/gap",
         "simulate": "population/return_gap", "transfer": "transfer/regret"}
