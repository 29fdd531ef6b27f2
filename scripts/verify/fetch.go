package main

// fetchKind marks the manifest of a folder of candles.
const fetchKind = "vaefolio fetch"
