// The two shapes in which this package reads what came with a request. Both are what the signature is checked on, so that
// a server parses a request once.

/** Headers by lower-case name; a repeated one joined by a comma. One character for each byte received, as node gives them. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** The query, decoded, in the order received. A parameter without `=` has the value `''`. The first of two counts. */
export type RequestQuery = readonly (readonly [name: string, value: string])[];
