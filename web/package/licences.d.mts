/** This project's licence, the model's card and everybody else's notices, by the names of their files. */
export function licences(libraries: readonly string[]): Record<string, string>;
