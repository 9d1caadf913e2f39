/**
 * What a program answered as JSON; T is what it is known to answer. Throws where it is none: an error of JSON.parse itself
 * shows what it read, and that may hold a secret.
 */
export function jsonAnswer<T>(text: string, what: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw new Error(`${what}: the answer is not understood`)
  }
}
