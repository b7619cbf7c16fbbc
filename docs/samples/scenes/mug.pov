// A ceramic mug on an oak table by a window. Units: centimetres.
#version 3.7;
#include "common.inc"
global_settings { assumed_gamma 1.0 max_trace_level 8 IndirectLight(60, 2, 1.0) }
#default { finish { ambient 0 diffuse 0.85 } }

camera {
  perspective location <3, 17, -46> right x * 4/3 up y angle 32 look_at <-1.6, 4.9, 0>
  #ifdef (Final) focal_point <0, 5, -4> aperture 1.0 blur_samples 10 variance 1/1000 confidence 0.9 #end
}

// Window light: a warm lamp behind a crossed frame, and a bright pane for the glaze to reflect.
#declare Glazing = <-95, 62, -42>;
SoftLight(Glazing, <0, 8, 8>, 22, 28, srgb <1, 0.95, 0.87> * 1.62, 6)
light_source { <60, 70, -80> srgb <0.75, 0.85, 1> * 0.3 shadowless }
union {
  #for (I, 0, 1) #for (J, 0, 1)
    box { <-20 + I * 21, -24 + J * 25, 0>, <-1 + I * 21, -1 + J * 25, 0.1> }
  #end #end
  pigment { rgb 1 } finish { emission 9 diffuse 0 } no_shadow no_radiosity
  rotate y * -66 translate <-62, 36, -34>
}
union {
  box { <-1.3, -40, 0>, <1.3, 40, 1> }
  box { <-40, -1.3, 0>, <40, 1.3, 1> }
  box { <-40, -40, 0>, <-19, 40, 1> } box { <19, -40, 0>, <40, 40, 1> }
  box { <-40, -46, 0>, <40, -25, 1> } box { <-40, 25, 0>, <40, 46, 1> }
  pigment { rgb 0.8 } no_image no_reflection
  rotate y * -66 translate <-50, 36.5, -17>
}
sky_sphere { pigment { rgb <0.42, 0.46, 0.52> * 0.5 } }

// Plain plaster wall.
plane {
  -z, -30
  pigment { bozo turbulence 0.6 color_map { [0 srgb <0.81, 0.79, 0.76>] [1 srgb <0.84, 0.82, 0.79>] } scale 24 }
  normal { bumps 0.05 scale 3 }
}

// Table: four boards with fine gaps.
#for (I, 0, 4)
  object {
    SoftBox(<-90, -3, 0>, <90, 0, 11.92>, 0.12)
    interior { ior 1.45 } texture { Oak(srgb <0.70, 0.53, 0.38>, srgb <0.60, 0.43, 0.29>, 0.3) scale 9 translate <I * 37.7, -2 - I * 5.1, I * 12.3 + 4> }
    translate z * (-28 + I * 12)
  }
#end

// The mug.
#declare Glaze = srgb <0.04, 0.40, 0.40>;
#declare Cream = srgb <0.95, 0.91, 0.82>;
#declare Shine = finish { diffuse 0.8 ambient 0 specular 0.35 roughness 0.004 reflection { 0.02, 0.55 fresnel on } conserve_energy }
#declare Wax = interior { ior 1.5 }
#declare Clay = texture { pigment { granite color_map { [0 srgb <0.78, 0.64, 0.50>] [1 srgb <0.68, 0.53, 0.40>] } scale 1.5 } finish { diffuse 0.85 } }

// Emblem: a sun over two hills inside a ring, cut through along z.
#declare Emblem = union {
  difference { cylinder { <0, 0, -9>, <0, 0, 0>, 2.55 } cylinder { <0, 0, -10>, <0, 0, 1>, 2.33 } }
  intersection {
    cylinder { <0, 0, -9>, <0, 0, 0>, 2.05 }
    union {
      prism { linear_spline -9, 9, 4, <-3, -3>, <-0.85, 0.35>, <1.5, -3>, <-3, -3> rotate x * -90 }
      prism { linear_spline -9, 9, 4, <-0.45, -3>, <0.95, -0.25>, <3.4, -3>, <-0.45, -3> rotate x * -90 }
      cylinder { <0.75, 0.95, -9>, <0.75, 0.95, 0>, 0.62 }
    }
  }
}
#declare Paint = pigment {
  object {
    object { Emblem rotate y * 14 translate y * 5.3 }
    pigment {
      gradient y
      pigment_map {
        [0.14 srgb <0.05, 0.36, 0.37>] [0.17 Cream] [0.183 Cream] [0.188 Glaze]
        [0.875 Glaze] [0.88 Cream] [0.895 Cream] [0.90 bozo color_map { [0 Glaze * 0.85] [1 Glaze * 1.25] } scale 3]
      }
      scale 10
    }
    pigment { Cream }
  }
}
#declare Ceramic = texture { pigment { Paint } finish { Shine } normal { bumps 0.012 scale 1.8 } }

#declare Walls = array[20] {
  <0, 0.3>, <1.4, 0.3>, <2.7, 0.3>, <2.85, 0.06>, <3.1, 0.04>, <3.4, 0.32>, <3.86, 0.85>, <4.06, 1.7>,
  <4.12, 3>, <4.15, 5>, <4.14, 7>, <4.11, 9.3>, <4.06, 9.62>, <3.94, 9.74>, <3.82, 9.62>, <3.78, 9.2>,
  <3.8, 6>, <3.78, 2.5>, <3.2, 1.05>, <0, 0.95>
}
object { Revolved(Walls, 120) texture { Ceramic } interior { Wax } }
torus { 2.95, 0.22 scale <1, 0.8, 1> translate y * 0.18 texture { Clay } }

#macro Pt(U, V)
  #local A = radians(-100 + 200 * U);
  #local C = <3.75 + 3.15 * pow(max(cos(A), 0) + 0.0001, 0.75) - (cos(A) < 0 ? 0.7 : 0), 5.4 + 2.75 * sin(A) + 0.25 * cos(A), 0>;
  #local T = vnormalize(<-sin(A) * 3.0, cos(A) * 2.75, 0>);
  #local N = vnormalize(vcross(T, z));
  (C + N * 0.36 * cos(V * 2 * pi) + z * (0.62 + 0.16 * abs(sin(A))) * sin(V * 2 * pi))
#end
object { SurfaceMesh(0, 1, 0, 1, 60, 28) interior { Wax } rotate y * 16 texture { pigment { Glaze } finish { Shine } } }

// Coffee inside.
cylinder {
  <0, 8.5, 0>, <0, 8.6, 0>, 3.8
  pigment { bozo color_map { [0 srgb <0.16, 0.08, 0.04>] [1 srgb <0.24, 0.12, 0.06>] } scale 2 }
  finish { diffuse 0.8 reflection { 0.03, 0.6 fresnel on } conserve_energy }
  interior { ior 1.33 }
}

// A folded linen cloth.
#declare Linen = texture {
  pigment { gradient x color_map { [0.80 srgb <0.90, 0.86, 0.78>] [0.80 srgb <0.76, 0.42, 0.30>] [0.86 srgb <0.76, 0.42, 0.30>] [0.86 srgb <0.90, 0.86, 0.78>] [0.9 srgb <0.90, 0.86, 0.78>] [0.9 srgb <0.76, 0.42, 0.30>] [0.915 srgb <0.76, 0.42, 0.30>] [0.915 srgb <0.90, 0.86, 0.78>] } scale 13 translate -6.5 * x }
  normal { average normal_map { [1 gradient x 0.5 sine_wave scale 0.16] [1 gradient z 0.5 sine_wave scale 0.16] } }
  finish { diffuse 0.85 }
}
#macro Sheet(Height, Seed, W, D)
  #macro Pt(U, V)
    #local X = (U - 0.5) * W; #local Z = (V - 0.5) * D;
    #local E = max(abs(U - 0.5), abs(V - 0.5)) * 2;
    <X + 0.12 * sin(V * 7 + Seed), Height + 0.13 * sin(X * 0.55 + Seed) * cos(Z * 0.4 + Seed * 2) + 0.1 * sin(Z * 0.9 + X * 0.3 + Seed) - 0.42 * pow(E, 14), Z + 0.12 * sin(U * 6 + Seed)>
  #end
  SurfaceMesh(0, 1, 0, 1, 50, 50)
#end
union {
  object { Sheet(0.45, 1.2, 13, 10) }
  object { Sheet(0.85, 3.4, 12.6, 9.6) }
  object { Sheet(1.3, 5.9, 12.8, 9.8) }
  texture { Linen } rotate y * 24 translate <-12.6, 0, -1.5>
}
// A spoon resting on the cloth.
union {
  difference {
    sphere { 0, 1 scale <1.75, 0.55, 1.15> }
    sphere { 0, 1 scale <1.66, 0.5, 1.06> translate y * 0.12 }
    box { <-3, 0.08, -3>, <3, 2, 3> }
  }
  sphere_sweep {
    cubic_spline 6
    <-9, 0.3, 0>, 0.3 <-8.4, 0.25, 0>, 0.28 <-6, 0.55, 0>, 0.2 <-3, 0.5, 0>, 0.14 <-1.62, 0.0, 0>, 0.16 <0, -0.6, 0>, 0.15
    scale <1, 0.7, 1.5>
  }
  pigment { srgb <0.86, 0.72, 0.45> }
  finish { diffuse 0.25 specular 0.7 roughness 0.015 metallic reflection { 0.55 metallic } }
  rotate z * 2 rotate y * 58 translate <-9.8, 1.95, -3>
}
