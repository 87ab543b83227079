/*
 * Tests that try every place where something can go wrong are built twice: bare, where they try all,
 * and under the sanitizers, where a step takes ten times as long and one in so many is tried. The
 * programs are those that include this (Makefile).
 */
#ifndef SHADOWBOOT_UNIT_SAMPLE_H
#define SHADOWBOOT_UNIT_SAMPLE_H

#ifdef __SANITIZE_ADDRESS__
#define ONE_IN(count) (count)
#else
#define ONE_IN(count) 1
#endif

#endif
