/**
 * The NAR of `XZ_TREE` in the forms that xz writes, base 64, for machines without xz. Made with `xz -c` of the NAR:
 * as it is, with `--block-size=1024`, as two streams cut at byte 1,000, and with `--lzma2=dict=1GiB`.
 */
import { directory, file, symlink } from './nar-writer.ts';

export const XZ_TREE = directory(['a', file('x'.repeat(3000))], ['b', symlink('a')]);

export const XZ_NARS = {
  oneBlock:
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4A2PAJBdAAaANh/vps6/droaek8r6qRTJO2hIwRx/1u/l2m68ym+JXpxK+m02g1+mo+dXiRt4hQG2Q3fBgNl2jg4xASlkSULwQH2qnw+CJyCDJ/QvDD44B1cOw+dkTC8Onkw6HY9kPcSCJIOG8eTLhgZZvGqmlUjSpiVbwA6vuGUX7U1jkXq0OczC8FnNQokTcdO7uNhAAA3FKSXQo76fgABrAGQGwAAzYHYPbHEZ/sCAAAAAARZWg==',
  severalBlocks:
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AP/AGNdAAaANh/vps6/droaek8r6qRTJO2hIwRx/1u/l2m68ym+JXpxK+m02g1+mo+dXiRt4hQG2Q3fBgNl2jg4xASlkSULwQH2qnw+CJyCDJ/QvDD44B1cOw+dkTC8Onkw6HY8w1CrAAAA1to9HrrSCaICACEBFgAAAHQv5aPgA/8AC10APG/7v/6jsN7gcgAAAGucatHITMSQAgAhARYAAAB0L+Wj4AP/AAtdADxv+7/+o7De4HIAAABrnGrRyEzEkAIAIQEWAAAAdC/lo+ABjwBFXQA8bxYBAGnf5KYPSMp2gmQE3IHR55DmVQ5uhlf4RDDwLEsWpknmn1Ql2hxGpOpl585lJ15CnxaGnpt3qtJW1wZy0z1SAAAAAAAAw3M485rUwLEABH+ACCeACCeACGGQAwAA8UmCAqwnPi0EAAAAAARZWg==',
  severalStreams:
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4APnAGNdAAaANh/vps6/droaek8r6qRTJO2hIwRx/1u/l2m68ym+JXpxK+m02g1+mo+dXiRt4hQG2Q3fBgNl2jg4xASlkSULwQH2qnw+CJyCDJ/QvDD44B1cOw+dkTC8Onkw6HY8IocHAAAALzYeTFaIsuwAAX/oBwAAAG7fUryxxGf7AgAAAAAEWVr9N3pYWgAABObWtEYCACEBFgAAAHQv5aPgCacAUV0APG/7v/6jsV7l+D+yqiX9hSCCm5sf5T5Ten8z8eKDnxeeK0rhQBPZzMuM+a0qu98yk7MQold7zLQqpto3Cj/AApOhctD9wm24850ydv8jGYVAAAAAAJTOEoK3ZuXNAAFtqBMAAAB/5MR1scRn+wIAAAAABFla',
  hugeDictionary:
    '/Td6WFoAAATm1rRGAgAhASQAAABeH8f54A2PAJBdAAaANh/vps6/droaek8r6qRTJO2hIwRx/1u/l2m68ym+JXpxK+m02g1+mo+dXiRt4hQG2Q3fBgNl2jg4xASlkSULwQH2qnw+CJyCDJ/QvDD44B1cOw+dkTC8Onkw6HY9kPcSCJIOG8eTLhgZZvGqmlUjSpiVbwA6vuGUX7U1jkXq0OczC8FnNQokTcdO7uNhAAA3FKSXQo76fgABrAGQGwAAzYHYPbHEZ/sCAAAAAARZWg==',
} as const;
