// An amber bottle with a paper label on a travertine block. Units: centimetres.
#version 3.7;
#include "common.inc"
global_settings {
  assumed_gamma 1.0 max_trace_level 7 adc_bailout 0.02 IndirectLight(60, 1, 1.0)
  photons { spacing 0.12 media 0 }
}
#default { finish { ambient 0 diffuse 0.85 } }

camera {
  location <0, 9.5, -48> right x * 4/5 up y angle 20.5 look_at <0, 7.0, 0>
  #ifdef (Final) focal_point <0, 6, -3.2> aperture 0.9 blur_samples 10 variance 1/1000 confidence 0.9 #end
}

light_source {
  <-42, 46, -26> srgb <1, 0.95, 0.87> * 1.2
  area_light <14, 0, -14>, <0, 16, 0>, 4, 4 adaptive 1 jitter
  photons { reflection off refraction on }
}
light_source { <45, 30, -40> srgb <0.8, 0.88, 1> * 0.14 shadowless }
// Strip boxes for the glass to reflect.
box { <-7, -16, 0>, <7, 26, 0.1> pigment { rgb 1 } finish { emission 1.5 diffuse 0 } no_shadow no_image photons { pass_through } rotate y * -62 translate <-30, 12, -22> }
box { <-2.5, -12, 0>, <2.5, 26, 0.1> pigment { rgb 1 } finish { emission 0.8 diffuse 0 } no_shadow no_image photons { pass_through } rotate y * 70 translate <28, 10, -14> }
sky_sphere { pigment { rgb <0.40, 0.40, 0.40> * 0.55 } }

// Backdrop of limewashed plaster.
plane {
  -z, -24
  pigment {
    bozo turbulence 0.9 octaves 6 lambda 2.2
    color_map { [0 srgb <0.80, 0.73, 0.65>] [0.5 srgb <0.84, 0.78, 0.70>] [1 srgb <0.87, 0.82, 0.75>] } scale 16
  }
  normal { granite 0.06 scale 14 }
}

#declare Travertine = texture {
  pigment {
    granite turbulence 0.35 octaves 5
    color_map { [0 srgb <0.70, 0.62, 0.52>] [0.25 srgb <0.84, 0.78, 0.69>] [0.55 srgb <0.90, 0.85, 0.77>] [1 srgb <0.80, 0.72, 0.62>] }
    scale <26, 3.5, 14>
  }
  normal { average normal_map { [1 granite 0.15 scale <4, 1.4, 4>] [1 dents 0.35 scale <1.1, 0.4, 1.1>] } }
  finish { diffuse 0.85 specular 0.06 roughness 0.03 }
}
#declare Slate = texture {
  pigment { granite turbulence 0.5 color_map { [0 srgb <0.45, 0.42, 0.39>] [0.5 srgb <0.60, 0.57, 0.53>] [1 srgb <0.52, 0.49, 0.46>] } scale 18 }
  normal { granite 0.2 scale 6 }
  finish { diffuse 0.8 specular 0.08 roughness 0.05 }
}
object { SoftBox(<-9, -4.2, -7>, <7.5, 0, 6>, 0.22) texture { Travertine } rotate y * -12 translate <0.4, 0, 1> }
object { SoftBox(<-8, -3.5, -5>, <8, 2.4, 5>, 0.3) texture { Travertine translate 9 } rotate y * 16 translate <9.5, -0.7, 12> }
plane { y, -4.2 texture { Slate } }

// Glass.
#declare Amber = material {
  texture {
    pigment { rgbf 1 }
    finish { diffuse 0 ambient 0 specular 0.6 roughness 0.002 reflection { 0.02, 1 fresnel on } conserve_energy }
  }
  interior { ior 1.5 fade_distance 0.30 fade_power 1001 fade_color rgb <0.86, 0.62, 0.0> }
}
#declare Walls = array[34] {
  <0, 0.35>, <1, 0.34>, <2.0, 0.22>, <2.45, 0.03>, <2.8, 0.02>, <3.1, 0.2>, <3.2, 0.6>, <3.2, 1.5>, <3.2, 3>,
  <3.2, 5>, <3.2, 7>, <3.2, 8.1>, <3.12, 8.7>, <2.75, 9.3>, <2.1, 9.68>, <1.55, 9.95>, <1.3, 10.4>, <1.26, 10.9>,
  <1.26, 11.3>, <1.13, 11.4>, <1.0, 11.3>, <1.0, 10.6>, <1.25, 10.0>, <1.9, 9.5>, <2.55, 9.1>, <2.9, 8.5>,
  <2.96, 7.9>, <2.96, 6>, <2.96, 4>, <2.96, 1.6>, <2.85, 0.95>, <2.4, 0.72>, <1.2, 0.7>, <0, 0.7>
}
object { Revolved(Walls, 120) material { Amber } no_radiosity photons { target 1 refraction on reflection off collect off } }
// The oil inside, a hair smaller than the hollow.
#declare Oil = array[9] { <0, 0.72>, <1.2, 0.72>, <2.4, 0.74>, <2.83, 0.97>, <2.94, 1.6>, <2.94, 4>, <2.94, 7.2>, <2.92, 7.25>, <0, 7.25> }
object {
  Revolved(Oil, 100)
  material {
    texture { pigment { rgbf 1 } finish { diffuse 0 ambient 0 reflection { 0, 0.4 fresnel on } } }
    interior { ior 1.42 fade_distance 5 fade_power 1001 fade_color rgb <0.95, 0.82, 0.35> }
  }
  no_radiosity
}

// Cap: matt black with fine ribs, and a collar.
#macro Pt(U, V)
  #local A = U * 2 * pi;
  #local R = 1.62 + 0.025 * cos(A * 70);
  <R * cos(A), 10.95 + V * 2.35, R * sin(A)>
#end
union {
  object { SurfaceMesh(0, 1, 0, 1, 560, 2) }
  cylinder { <0, 13.3, 0>, <0, 13.48, 0>, 1.44 }
  torus { 1.44, 0.18 translate y * 13.3 }
  cylinder { <0, 13.2, 0>, <0, 13.3, 0>, 1.62 }
  cylinder { <0, 10.94, 0>, <0, 11.3, 0>, 1.6 }
  pigment { srgb <0.085, 0.08, 0.075> }
  finish { diffuse 0.8 specular 0.25 roughness 0.06 reflection { 0.01, 0.2 fresnel on } conserve_energy }
  interior { ior 1.5 }
}

// Label: a cylinder section with lettering cut through it.
#macro Line(Words, Size, Gap, Height, Face)
  #local T = text { ttf Face Words 6, Gap };
  object { T translate -x * (max_extent(T).x + min_extent(T).x) / 2 scale <Size, Size, 1> translate <0, Height, -5> }
#end
#declare Print = union {
  Line("NORDLYS", 0.98, 0.13 * x, 5.35, "timrom.ttf")
  Line("No. 4", 0.62, 0.05 * x, 4.35, "timrom.ttf")
  Line("COLD PRESSED BODY OIL", 0.255, 0.10 * x, 2.72, "cyrvetic.ttf")
  Line("juniper  .  birch  .  sea salt", 0.27, 0.05 * x, 2.28, "timrom.ttf")
  Line("100 ml", 0.25, 0.06 * x, 1.62, "cyrvetic.ttf")
  box { <-1.75, 3.72, -5>, <1.75, 3.75, 0> }
  box { <-0.5, 2.08, -5>, <0.5, 2.095, 0> }
  // Northern light: a fan of strokes.
  #for (I, -6, 6)
    #local H = 0.42 + 0.3 * abs(sin(I * 1.7 + 0.6)) - 0.02 * abs(I);
    box { <-0.035, 0, -5>, <0.035, H, 0> translate <I * 0.155, 6.72 + 0.12 * cos(I * 0.45), 0> }
  #end
}
difference {
  cylinder { <0, 1.25, 0>, <0, 7.95, 0>, 3.235 }
  cylinder { <0, 1, 0>, <0, 8.2, 0>, 3.21 }
  plane { z, 0 rotate y * 0 translate z * -0.75 inverse }
  texture {
    pigment {
      object { Print
        pigment { granite color_map { [0 srgb <0.93, 0.90, 0.84>] [1 srgb <0.97, 0.95, 0.90>] } scale 2 }
        pigment { srgb <0.11, 0.13, 0.13> }
      }
    }
    normal { bumps 0.06 scale 0.06 }
    finish { diffuse 0.88 }
  }
  rotate y * 5
}

// Smooth pebbles and a sprig.
#declare Sd = seed(42);
#macro Pebble(Where, Size, Tone)
  sphere { 0, 1 scale Size normal { bumps 0.2 scale 0.6 }
    texture { pigment { granite color_map { [0 Tone * 0.75] [0.5 Tone] [1 Tone * 1.15] } scale 1.6 } normal { granite 0.08 scale 1 } finish { diffuse 0.85 specular 0.1 roughness 0.05 } }
    rotate y * rand(Sd) * 180 translate Where }
#end
Pebble(<-5.6, 0.52, -1.6>, <1.15, 0.52, 0.85>, srgb <0.42, 0.41, 0.40>)
Pebble(<-6.0, 0.36, -3.9>, <0.62, 0.36, 0.5>, srgb <0.80, 0.76, 0.70>)
#macro Pt(U, V)
  #local W = 0.52 * sin(pi * pow(U, 0.75));
  <U * 2.1, 0.25 * sin(U * 2.2) - 0.35 * pow(abs(V - 0.5) * 2, 1) * W * -1, (V - 0.5) * 2 * W>
#end
#declare Leaf = object { SurfaceMesh(0, 1, 0, 1, 14, 8) }
#declare Sprig = union {
  sphere_sweep { cubic_spline 6 <-2, 0.1, 0>, 0.07 <0, 0.1, 0>, 0.07 <3, 0.5, 0.3>, 0.06 <6, 0.9, 0.2>, 0.045 <8.6, 1.1, -0.4>, 0.03 <10, 1, -0.8>, 0.02
    pigment { srgb <0.36, 0.27, 0.18> } }
  #for (I, 0, 15)
    #local X = 1.6 + I * 0.46;
    object { Leaf scale (1.05 - I * 0.035)
      rotate x * (rand(Sd) * 60 - 30) rotate z * (8 + rand(Sd) * 22) rotate y * ((mod(I, 2) * 2 - 1) * (38 + rand(Sd) * 22))
      translate <X, 0.1 + X * 0.13, 0.15>
      pigment { srgb <0.40 + rand(Sd) * 0.08, 0.47 + rand(Sd) * 0.06, 0.36> } finish { diffuse 0.8 specular 0.1 roughness 0.06 } }
  #end
  object { Leaf scale 0.6 rotate z * 15 translate <8.6, 1.1, -0.4> pigment { srgb <0.43, 0.5, 0.38> } }
}
object { Sprig rotate y * 22 translate <-0.6, 0, -4.6> }
