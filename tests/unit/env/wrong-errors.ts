/** What `judge` holds against the errors that these throw, of all that throw one. */
export const wrongErrors = (
  works: readonly (() => unknown)[],
  judge: (error: unknown) => string | undefined,
): string[] =>
  works.flatMap((work) => {
    try {
      work()
      return []
    } catch (error) {
      return judge(error) ?? []
    }
  })
