import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { project } from './cli.ts'
import { tempFolder } from './temp.ts'

/** What the bundler is asked here. It is a package of tsx's, which runs everything on Node 20. */
interface Bundler {
  build(options: object): Promise<unknown>
}
interface Loading {
  onLoad(which: object, load: (file: { readonly path: string }) => object): void
}

// A file asks where it lies, to read what lies beside it: in a bundle it would ask where that lies.
const inPlace = {
  name: 'in-place',
  setup({ onLoad }: Loading) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
    }))
  },
}

/**
 * The command lines of the product, each as one program: `pod/cli.ts` is `FOLDER/pod/cli.mjs`. A run of one takes a fifth
 * of the processor time of its sources on Node 20. Gives the folder, which goes away after the tests of the file.
 */
export async function commandLines(files: readonly string[]): Promise<string> {
  const outdir = tempFolder()
  const bundler: Bundler = createRequire(join(project, 'node_modules/esbuild/package.json'))('esbuild')
  await bundler.build({
    entryPoints: files.map((file) => join(project, file)),
    ...{ outbase: project, outdir, outExtension: { '.js': '.mjs' } },
    ...{ bundle: true, splitting: true, platform: 'node', format: 'esm', logLevel: 'warning', plugins: [inPlace] },
    // The packages that are CommonJS call it.
    banner: { js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);" },
  })
  return outdir
}
