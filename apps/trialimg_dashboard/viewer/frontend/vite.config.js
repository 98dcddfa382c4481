import { defineConfig } from 'vite';
import { fileURLToPath } from 'node:url';

const stub = fileURLToPath(new URL('./src/stub.js', import.meta.url));

// Edits to library files, each checked: if an upgrade changes the text, the build fails.
const PATCHES = [
  // A press-drag-release of 3 px or less within 400 ms is taken for half a double click and dropped.
  // Readers correct handles by a pixel or two and the viewer has no double-click action.
  ['tools/dist/esm/eventListeners/mouse/mouseDownListener.js', 'const DOUBLE_CLICK_DRAG_TOLERANCE = 3;', 'const DOUBLE_CLICK_DRAG_TOLERANCE = 0;'],
  ['tools/dist/esm/eventListeners/mouse/mouseDownListener.js', 'const DOUBLE_CLICK_TOLERANCE_MS = 400;', 'const DOUBLE_CLICK_TOLERANCE_MS = 0;'],
  // CPU path: after a resize the canvas has one pixel per CSS pixel while coordinates are still scaled by
  // devicePixelRatio, so lengths come out 1.5 times too long at 150 % display scaling. Count CSS pixels throughout.
  ['core/dist/esm/RenderingEngine/helpers/cpuFallback/rendering/cssPixelConversion.js', "return (typeof window !== 'undefined' && window.devicePixelRatio) || 1;", 'return 1;'],
  // CPU path: with non-square pixels every zoom step also multiplied the scale by the ratio of the two spacings.
  ['core/dist/esm/RenderingEngine/StackViewport.js', 'const scale = (clientHeight * rowPixelSpacing * 0.5) / parallelScale;', 'const scale = (clientHeight * Math.min(rowPixelSpacing, image.columnPixelSpacing) * 0.5) / parallelScale;'],
  // CPU path: each new slice put the image's own window into the viewport's state while the picture kept the reader's:
  // the caption then named a window that was not on the screen, and the next drag began from it.
  ['core/dist/esm/RenderingEngine/StackViewport.js', 'this.voiRange = getVOIRangeFromWindowLevel(windowWidth, windowCenter, voiLUTFunction);', 'if (!this.voiRange || this.stackInvalidated) this.voiRange = getVOIRangeFromWindowLevel(windowWidth, windowCenter, voiLUTFunction);'],
];
const patched = new Set();
const patchLibrary = {
  name: 'patch-cornerstone',
  enforce: 'pre',
  transform(code, id) {
    let out = code;
    for (const [file, from, to] of PATCHES) {
      if (!id.split('?')[0].endsWith(file)) continue;
      if (!out.includes(from)) this.error(`${file} no longer contains: ${from}`);
      out = out.replace(from, to);
      patched.add(from);
    }
    return out === code ? null : { code: out, map: null };
  },
  generateBundle() {
    for (const [file, from] of PATCHES) if (!patched.has(from)) this.error(`not patched: ${file}`);
  },
};

export default defineConfig({
  base: './', // URLs relative to the module, so Streamlit's baseUrlPath works
  plugins: [patchLibrary],
  resolve: {
    alias: [
      { find: 'xmlbuilder2', replacement: stub }, // vtk.js XML writers: pull in node modules, never called
      { find: /^.*\/registerComputeWorker\.js$/, replacement: stub }, // 2.7 MB worker for segmentation statistics
    ],
  },
  build: {
    outDir: '../assets',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rollupOptions: {
      input: 'src/viewer.js',
      preserveEntrySignatures: 'strict', // Streamlit imports the default export
      output: { format: 'es', entryFileNames: 'index-[hash].js', chunkFileNames: 'assets/[name]-[hash].js' },
    },
  },
});
