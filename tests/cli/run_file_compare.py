# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares run files with h5py alone, so that `walras diff` is checked and not trusted."""

import h5py
import numpy

# Where the run took place, and the spelling of the scenario: may differ between equal runs.
FREE = ("/run", "/scenario/source")
# Who uses a dimension scale; the users tell it too, and may lie in /run.
USERS_OF_A_SCALE = "REFERENCE_LIST"


def is_free(path):
    return any(path == name or path.startswith(name + "/") for name in FREE)


def objects(file):
    """{path: object} under every name, so that further names of an object count too."""
    found = {"/": file}

    def walk(group, prefix):
        for name in group:
            path = f"{prefix}/{name}"
            assert isinstance(group.get(name, getlink=True), h5py.HardLink), path
            found[path] = group[name]
            if isinstance(group[name], h5py.Group):
                walk(group[name], path)

    walk(file, "")
    return found


def raw(value):
    """Bytes of numbers, and texts as they are."""
    array = numpy.asarray(value)
    if array.dtype == object:
        return [item if isinstance(item, bytes) else str(item).encode() for item in array.flat]
    return array.tobytes()


def attributes(item):
    """{name: (type, shape, bytes)}; references become the names of what they lead to."""
    found = {}
    for name in item.attrs:
        if name == USERS_OF_A_SCALE:
            continue
        number = item.attrs.get_id(name)
        if name == "DIMENSION_LIST":
            value = [[item.file[scale].name for scale in scales] for scales in item.attrs[name]]
        else:
            value = raw(item.attrs[name])
        found[name] = (number.get_type().get_class(), number.dtype.str, number.shape, value)
    return found


def layout(dataset):
    """How a dataset is stored: a part of the same bytes, too."""
    return (dataset.shape, dataset.dtype.str, dataset.id.get_type().get_size(), dataset.chunks,
            dataset.compression, dataset.shuffle, dataset.fletcher32, dataset.maxshape)


def part_differences(a, b, group):
    """Lines that tell how the run file `a` differs from a group of the run file `b`: its root's
    attributes are the group's, but for those that every file has."""
    found = []
    own = ("format", "format_version", "walras_version", "complete")

    def below(path):
        return group if path == "/" else group + path

    with h5py.File(a, "r") as file_a, h5py.File(b, "r") as file_b:
        of_a, of_b = objects(file_a), objects(file_b)
        missing = {below(path) for path in of_a} ^ {
            path for path in of_b if path == group or path.startswith(group + "/")}
        found += [f"{path}: in one file only" for path in sorted(missing)]
        for path, x in of_a.items():
            y = of_b.get(below(path))
            if y is None:
                continue
            of_x, of_y = attributes(x), attributes(y)
            for name in own if path == "/" else ():
                of_x.pop(name)
            scales = of_x.get("DIMENSION_LIST")
            if scales:
                of_x["DIMENSION_LIST"] = (*scales[:-1], [[*map(below, s)] for s in scales[-1]])
            if of_x != of_y:
                found.append(f"{path}: attributes {of_x} against {of_y}")
            if isinstance(x, h5py.Dataset) and (layout(x), raw(x[()])) != (layout(y), raw(y[()])):
                found.append(f"{path}: other bytes or layout")
    return found


def differences(a, b):
    """Lines that tell how two run files differ outside what may differ."""
    found = []
    with h5py.File(a, "r") as file_a, h5py.File(b, "r") as file_b:
        of_a, of_b = objects(file_a), objects(file_b)
        for path in sorted(of_a.keys() | of_b.keys()):
            if is_free(path):
                continue
            if path not in of_a or path not in of_b:
                found.append(f"{path}: only in {'b' if path not in of_a else 'a'}")
                continue
            x, y = of_a[path], of_b[path]
            if type(x) is not type(y):
                found.append(f"{path}: {type(x)} against {type(y)}")
                continue
            if attributes(x) != attributes(y):
                found.append(f"{path}: attributes {attributes(x)} against {attributes(y)}")
            if not isinstance(x, h5py.Dataset):
                continue
            if layout(x) != layout(y):
                found.append(f"{path}: {layout(x)} against {layout(y)}")
            elif raw(x[()]) != raw(y[()]):
                found.append(f"{path}: other bytes")
    return found
