"""croissant.json: a repository's files and columns in MLCommons' vocabulary, with what its RAI part asks for."""

from collections.abc import Iterable, Mapping

from consciousness_cluster.data.reading import Json
from consciousness_cluster.release.card import bibtex
from consciousness_cluster.release.configs import Column, Config, configs, path_of

CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
TYPES = {"string": "sc:Text", "int32": "sc:Integer", "int64": "sc:Integer", "float64": "sc:Float", "bool": "sc:Boolean"}
IN_CROISSANT = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
    *("fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator"),
    *("source", "subField", "transform"),
)


def _context() -> Json:
    """The vocabulary: Croissant's own terms, the rest is schema.org's."""
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "sc": "https://schema.org/",
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "name": {"@container": "@language"},
        "description": {"@container": "@language"},
        **{term: f"cr:{term}" for term in IN_CROISSANT},
    }


def croissant(
    repository: str, words: Json, splits: Mapping[str, Iterable[str]], sha256: Mapping[str, str], fields: dict[str, str]
) -> Json:
    """The document. `words` is croissant.yaml, `splits` config -> splits, `sha256` file -> hash of its bytes."""
    address = f"https://huggingface.co/datasets/{fields['org']}/{repository}"
    files = [
        (config, split, path_of(config.name, split)) for config in configs(repository) for split in splits[config.name]
    ]
    return {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": words["title"],
        "description": words["description"].strip(),
        "keywords": words["keywords"],
        "inLanguage": ["en"],
        "license": [LICENCE],
        "url": address,
        "version": fields["version"],
        "creator": [{"@type": "sc:Organization", "name": "The consciousness-cluster authors"}],
        "citeAs": bibtex(fields),
        "isLiveDataset": False,
        **{f"rai:{name}": value for name, value in words["rai"].items()},
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "description": f"{config.name}, split {split}.",
                "contentUrl": path,
                "encodingFormat": ["application/x-parquet"],
                "sha256": sha256[path],
            }
            for config, split, path in files
        ],
        "recordSet": [_records(config, split, path) for config, split, path in files],
    }


def _records(config: Config, split: str, path: str) -> Json:
    name = f"{config.name}_{split}"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": config.description.strip(),
        "key": [{"@id": f"{name}/{column}"} for column in config.key],
        "field": [_field(name, column, path) for column in config.columns],
    }


def _field(records: str, column: Column, path: str) -> Json:
    found: Json = {
        "@type": "cr:Field",
        "@id": f"{records}/{column.name}",
        "name": column.name,
        "description": column.description.strip(),
    }
    source = {"fileObject": {"@id": path}, "extract": {"column": column.name}}
    if isinstance(column.type, str):
        return found | {"dataType": TYPES[column.type], "source": source}
    if isinstance(column.type, list):
        return found | {"dataType": TYPES[column.type[0]], "source": source, "isArray": True, "arrayShape": "-1"}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{records}/{column.name}/{name}",
            "name": name,
            "dataType": TYPES[kind],
            "source": {**source, "transform": [{"jsonPath": name}]},
        }
        for name, kind in column.type.items()
    ]
    return found | {"isArray": True, "arrayShape": "-1", "subField": parts}
