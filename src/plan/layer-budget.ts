/**
 * How many layers there are to give away.
 *
 * `maxLayers` counts every layer of the finished image: base image layers + store layers + one customisation layer.
 */
import { PhylloError } from '../errors.ts';

/** As nixpkgs' dockerTools have it. */
export const DEFAULT_MAX_LAYERS = 100;
/** Docker's classic store refuses images with more layers. */
const DOCKER_LIMIT = 125;
/** containers/storage (podman, skopeo, CRI-O) refuses images with more layers. */
export const MAX_LAYERS_ANYWHERE = 500;

export interface LayerBudget {
  readonly maxLayers: number;
  /** Layers of the base image; 0 without one. */
  readonly baseLayers: number;
}

/**
 * The number of store layers, at least 1.
 * @throws PhylloError LAYERING_INVALID (not whole numbers), BUDGET_TOO_SMALL (with the numbers)
 */
export function storeLayerBudget({ maxLayers, baseLayers }: LayerBudget): number {
  checkWhole('maxLayers', maxLayers);
  checkWhole('baseLayers', baseLayers);
  const storeLayers = maxLayers - baseLayers - 1;
  if (storeLayers >= 1) return storeLayers;
  throw new PhylloError(
    'BUDGET_TOO_SMALL',
    `maxLayers is ${maxLayers}: ${counted(baseLayers, 'layer')} of the base image and 1 customisation layer leave no layer for store paths`,
    { hint: `set maxLayers to ${baseLayers + 2} or more` },
  );
}

/**
 * What a person should know about the number of layers that an image really has, or undefined.
 * @throws PhylloError TOO_MANY_LAYERS above 500
 */
export function checkLayerCount(layers: number): string | undefined {
  if (layers > MAX_LAYERS_ANYWHERE) {
    throw new PhylloError(
      'TOO_MANY_LAYERS',
      `the image would have ${layers} layers, and no runtime takes more than ${MAX_LAYERS_ANYWHERE}`,
      { hint: `set maxLayers to ${MAX_LAYERS_ANYWHERE} or less` },
    );
  }
  if (layers <= DOCKER_LIMIT) return undefined;
  return `the image has ${layers} layers: Docker's classic store takes at most ${DOCKER_LIMIT}`;
}

function checkWhole(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new PhylloError('LAYERING_INVALID', `${name}: found ${value}, wanted a whole number of 0 or more`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
