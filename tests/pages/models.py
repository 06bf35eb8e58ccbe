"""A small model of real films with random factors, and a registry that is a folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from serving.follow.registry import LoadError, Registry, Release
from tests.serving.hand_made import random_artifact

FILMS = {
    "Toy Story (1995)": "Adventure|Animation|Children|Comedy|Fantasy",
    "Heat (1995)": "Action|Crime|Thriller",
    "Sense and Sensibility (1995)": "Drama|Romance",
    "Seven (a.k.a. Se7en) (1995)": "Mystery|Thriller",
    "Braveheart (1995)": "Action|Drama|War",
    "Apollo 13 (1995)": "Adventure|Drama|IMAX",
    "Star Wars: Episode IV - A New Hope (1977)": "Action|Adventure|Sci-Fi",
    "Pulp Fiction (1994)": "Comedy|Crime|Drama|Thriller",
    "Shawshank Redemption, The (1994)": "Crime|Drama",
    "Lion King, The (1994)": "Adventure|Animation|Children|Drama|Musical|IMAX",
    "Fargo (1996)": "Comedy|Crime|Drama|Thriller",
    "Casablanca (1942)": "Drama|Romance",
    "Maltese Falcon, The (1941)": "Film-Noir|Mystery",
    "Singin' in the Rain (1952)": "Comedy|Musical|Romance",
    "Alien (1979)": "Horror|Sci-Fi",
    "Good, the Bad and the Ugly, The (1966)": "Action|Adventure|Western",
    "Hoop Dreams (1994)": "Documentary",
    "Matrix, The (1999)": "Action|Sci-Fi|Thriller",
    "Spirited Away (2001)": "Adventure|Animation|Fantasy",
    "Amélie (2001)": "Comedy|Romance",
    "Up (2009)": "Adventure|Animation|Children|Drama",
    "Inception (2010)": "Action|Crime|Drama|Mystery|Sci-Fi|Thriller|IMAX",
    "<b>Bold</b> & \"Quoted\" (2011)": "Comedy",
    "Nobody Rated This (2012)": "Drama",
    "Nor This (2013)": "(no genres listed)",
    "And Neither This (2014)": "Drama",
}  # fmt: skip
"""Titles and genres; the last three have no rating and are never recommended."""


def write_model(folder: Path, seed: int) -> None:
    """Write a model of the films; users 2, 5, ... 23 rated four of them each."""
    genres = sorted(
        {g for text in FILMS.values() for g in text.split("|")} - {"(no genres listed)"}
    )
    artifact = random_artifact(seed, movies=len(FILMS))
    member = np.array([[g in text.split("|") for text in FILMS.values()] for g in genres])
    replace(
        artifact,
        genre_names=tuple(genres),
        arrays=replace(artifact.arrays, genre_movies=member),
        titles=pa.array(list(FILMS)),
        genres=pa.array(list(FILMS.values())),
    ).write(folder)


class FolderRegistry(Registry):
    """Versions are models made when they are asked for; `version` is what the alias names."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1", "films", "production")
        self.version: int | None = None

    def release(self) -> Release:
        if self.version is None:
            raise LoadError("no version has the alias production")
        return Release(str(self.version), 1)

    def download(self, release: Release, folder: Path) -> Path:
        write_model(folder / "model", seed=int(release.version))
        return folder / "model"
