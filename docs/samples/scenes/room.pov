// A living room with a bare wall above the sofa. Units: metres.
#version 3.7;
#include "common.inc"
global_settings { assumed_gamma 1.0 max_trace_level 5 IndirectLight(45, 1, 1.45) }
#default { finish { ambient 0 diffuse 0.85 } }

camera { location <0.8, 1.42, -4.9> right x * 3/2 up y angle 66 look_at <-0.2, 1.2, 0> }

// Daylight through the left window, and the lamp.
light_source { <-5.0, 2.75, -3.0> srgb <1, 0.94, 0.84> * 1.32 area_light <0, 0.2, 0>, <0.14, 0, -0.14>, 6, 6 adaptive 1 jitter }
light_source { <1.5, 2.3, -3.6> srgb <1, 0.97, 0.94> * 0.68 shadowless fade_distance 3 fade_power 2 }
light_source { <2.02, 1.62, -0.45> srgb <1, 0.74, 0.45> * 0.95 fade_distance 0.8 fade_power 2 }
box {
  <-3.4, 0.2, -3>, <-3.39, 3.2, 0.6> no_shadow
  pigment { gradient y color_map { [0.1 srgb <0.62, 0.74, 0.52>] [0.45 srgb <0.85, 0.9, 0.8>] [0.6 srgb <0.95, 0.98, 1>] } scale 3 }
  finish { emission 1.7 diffuse 0 }
}

// Shell.
#declare Plaster = texture { pigment { srgb <0.85, 0.84, 0.81> } normal { bumps 0.03 scale 0.2 } }
box { <-2.7, 0, 0>, <3.4, 2.7, 0.1> texture { Plaster } }
box { <3.3, 0, -6>, <3.4, 2.7, 0> texture { Plaster } }
box { <-2.8, 2.7, -6>, <3.4, 2.8, 0.1> pigment { srgb 0.93 } }
box { <-2.8, 0, -6>, <3.4, 2.7, -5.9> texture { Plaster } }
difference {
  box { <-2.8, 0, -6>, <-2.7, 2.7, 0.1> }
  box { <-3, 0.75, -1.78>, <-2, 2.42, -0.36> }
  texture { Plaster }
}
union {
  box { <-2.82, 0.71, -1.84>, <-2.6, 0.76, -0.3> }
  box { <-2.76, 0.75, -1.1>, <-2.71, 2.42, -1.05> }
  box { <-2.76, 1.86, -1.78>, <-2.71, 1.9, -0.36> }
  box { <-2.72, 0, -0.02>, <3.3, 0.11, 0> }
  box { <-2.7, 0, -6>, <-2.68, 0.11, 0> }
  pigment { srgb 0.9 } finish { specular 0.15 roughness 0.05 }
}
// Sheer curtains.
#macro Curtain(Z0, Z1)
  #macro Pt(U, V)
    #local A = U * 62;
    <-2.55 + 0.035 * sin(A) + 0.02 * sin(A * 0.37 + V * 2) * (1.2 - V), 0.03 + V * 2.5, Z0 + (Z1 - Z0) * U + 0.012 * cos(A * 1.3)>
  #end
  object { SurfaceMesh(0, 1, 0, 1, 140, 10) pigment { srgbt <0.93, 0.91, 0.87, 0.18> } finish { diffuse 0.7, 0.45 } }
#end
Curtain(-0.40, -0.08)
Curtain(-2.3, -1.76)
cylinder { <-2.55, 2.54, -3>, <-2.55, 2.54, -0.3>, 0.012 pigment { srgb 0.12 } }

// Oak floor.
#declare Sd = seed(7);
#for (I, 0, 26)
  #local X = -2.7 - rand(Sd) * 1.2;
  #while (X < 3.4)
    #local T = 0.86 + rand(Sd) * 0.24;
    box { <X, -0.05, -0.004>, <X + 1.395, 0, 0.216>
      interior { ior 1.45 }
      texture { Oak(srgb <0.72, 0.57, 0.42> * T, srgb <0.60, 0.44, 0.30> * T, 0.3) scale 0.12 translate <rand(Sd) * 9, rand(Sd) * 4, rand(Sd) * 4> }
      translate z * (-0.22 - I * 0.221) }
    #local X = X + 1.4;
  #end
#end

// Rug: woven stripes with a fringe.
#declare Wool = srgb <0.90, 0.86, 0.78>;
union {
  box { <-1.55, 0, -2.35>, <1.45, 0.022, -0.75> }
  #for (I, 0, 74)
    cylinder { <-1.55, 0.008, -2.34 + I * 0.0213>, <-1.63 - rand(Sd) * 0.02, 0.004, -2.34 + I * 0.0213 + rand(Sd) * 0.02 - 0.01>, 0.005 }
    cylinder { <1.45, 0.008, -2.34 + I * 0.0213>, <1.53 + rand(Sd) * 0.02, 0.004, -2.34 + I * 0.0213 + rand(Sd) * 0.02 - 0.01>, 0.005 }
  #end
  pigment {
    gradient x turbulence 0.004
    color_map {
      [0.06 Wool] [0.06 srgb <0.72, 0.38, 0.26>] [0.10 srgb <0.72, 0.38, 0.26>] [0.10 Wool] [0.13 Wool] [0.13 srgb <0.20, 0.28, 0.33>]
      [0.15 srgb <0.20, 0.28, 0.33>] [0.15 Wool] [0.48 Wool] [0.48 srgb <0.83, 0.64, 0.36>] [0.52 srgb <0.83, 0.64, 0.36>] [0.52 Wool]
      [0.85 Wool] [0.85 srgb <0.20, 0.28, 0.33>] [0.87 srgb <0.20, 0.28, 0.33>] [0.87 Wool] [0.90 Wool] [0.90 srgb <0.72, 0.38, 0.26>]
      [0.94 srgb <0.72, 0.38, 0.26>] [0.94 Wool]
    }
    scale 3.0 translate x * -1.55
  }
  normal { granite 0.35 scale 0.05 }
}

// Sofa.
#declare Cloth = texture {
  pigment { granite color_map { [0 srgb <0.25, 0.37, 0.36>] [1 srgb <0.33, 0.46, 0.44>] } scale 0.02 }
  normal { granite 0.12 scale 0.02 }
  finish { diffuse 0.85 specular 0.03 roughness 0.2 }
}
#macro Cushion(W, H, D, Puff)
  #macro Pt(U, V)
    #local CU = cos(U); #local SU = sin(U); #local CV = cos(V); #local SV = sin(V);
    #local E = 0.38;
    #local E = 0.38;
    #local PX = (CU < 0 ? -1 : 1) * pow(abs(CU) + 1e-6, E);
    #local PZ = (SU < 0 ? -1 : 1) * pow(abs(SU) + 1e-6, E);
    #local PY = (SV < 0 ? -1 : 1) * pow(1 - pow(min(abs(CV), 0.99999), 4.4), 0.36);
    #local X = PX * CV; #local Z = PZ * CV;
    <X * W / 2 * (1 - 0.03 * Z * Z), PY * H / 2 * (1 + Puff * (1 - X * X) * (1 - Z * Z)), Z * D / 2 * (1 - 0.03 * X * X)>
  #end
  SurfaceMesh(0, 2 * pi, -pi / 2, pi / 2, 72, 36)
#end
union {
  object { SoftBox(<-1.15, 0.16, -0.98>, <1.15, 0.32, -0.1>, 0.04) }
  object { SoftBox(<-1.15, 0.2, -0.26>, <1.15, 0.8, -0.08>, 0.07) }
  object { SoftBox(<-1.32, 0.16, -1.0>, <-1.1, 0.62, -0.08>, 0.08) }
  object { SoftBox(<1.1, 0.16, -1.0>, <1.32, 0.62, -0.08>, 0.08) }
  #declare Seat = object { Cushion(1.11, 0.2, 0.8, 0.15) }
  #declare Back = object { Cushion(1.09, 0.24, 0.5, 0.35) rotate x * -76 }
  object { Seat translate <-0.55, 0.41, -0.6> } object { Seat translate <0.55, 0.41, -0.6> }
  object { Back translate <-0.55, 0.68, -0.36> } object { Back translate <0.55, 0.68, -0.36> }
  texture { Cloth }
}
#for (I, 0, 3)
  cone { <(mod(I, 2) = 0 ? -1.2 : 1.2), 0, (I < 2 ? -0.92 : -0.18)>, 0.016, <(mod(I, 2) = 0 ? -1.18 : 1.18), 0.17, (I < 2 ? -0.9 : -0.2)>, 0.026 pigment { srgb <0.45, 0.29, 0.17> } }
#end
#declare Pillow = object { Cushion(0.46, 0.14, 0.46, 0.55) rotate x * -70 }
object { Pillow rotate y * 12 translate <-0.84, 0.69, -0.62> pigment { srgb <0.83, 0.60, 0.28> } normal { granite 0.15 scale 0.02 } }
object { Pillow scale 0.92 rotate y * -9 translate <0.80, 0.67, -0.62> pigment { gradient x color_map { [0.5 srgb <0.91, 0.88, 0.81>] [0.5 srgb <0.75, 0.44, 0.33>] [0.62 srgb <0.75, 0.44, 0.33>] [0.62 srgb <0.91, 0.88, 0.81>] } scale 0.09 } }
// A throw over the arm.
#macro Pt(U, V)
  #local S = V * 1.15 - 0.5;
  #local A = max(-1, min(1, S / 0.17)) * pi / 2;
  <1.21 + 0.135 * sin(A) + 0.008 * sin(U * 30), 0.52 + 0.125 * cos(A) - max(abs(S) - 0.17, 0), -0.9 + U * 0.42 + 0.012 * sin(V * 9)>
#end
object { SurfaceMesh(0, 1, 0, 1, 40, 60) texture { pigment { gradient z color_map { [0.8 srgb <0.90, 0.86, 0.79>] [0.8 srgb <0.68, 0.60, 0.52>] } scale 0.05 } normal { granite 0.25 scale 0.02 } } }

// Coffee table with books and a bowl.
#declare Table = texture { Oak(srgb <0.55, 0.38, 0.25>, srgb <0.40, 0.26, 0.16>, 0.4) scale 0.14 }
union {
  cylinder { <0, 0.37, 0>, <0, 0.4, 0>, 0.44 }
  #for (I, 0, 2) cone { <0.3, 0, 0>, 0.014, <0.22, 0.37, 0>, 0.022 rotate y * (I * 120 + 20) } #end
  texture { Table } interior { ior 1.5 } translate <-0.15, 0.02, -1.6>
}
union {
  box { <-0.15, 0.42, -0.1>, <0.13, 0.447, 0.1> pigment { srgb <0.80, 0.77, 0.71> } rotate y * 12 }
  box { <-0.12, 0.447, -0.09>, <0.11, 0.468, 0.08> pigment { srgb <0.70, 0.35, 0.26> } rotate y * 25 }
  translate <-0.32, 0, -1.62>
}
#declare Bowl = array[9] { <0, 0>, <0.04, 0>, <0.05, 0.008>, <0.1, 0.035>, <0.125, 0.075>, <0.12, 0.078>, <0.1, 0.045>, <0.05, 0.018>, <0, 0.015> }
object { Revolved(Bowl, 50) translate <0.08, 0.42, -1.68> pigment { srgb <0.88, 0.85, 0.78> } finish { specular 0.3 roughness 0.02 } }
sphere { <0.05, 0.475, -1.68>, 0.036 pigment { srgb <0.85, 0.45, 0.14> } }
sphere { <0.12, 0.475, -1.66>, 0.034 pigment { srgb <0.88, 0.50, 0.15> } }
sphere { <0.085, 0.475, -1.73>, 0.033 pigment { srgb <0.86, 0.55, 0.18> } }

// Floor lamp on three legs.
#declare Shade = array[2] { <0.25, 0>, <0.19, 0.32> }
union {
  object { Revolved(Shade, 60) pigment { srgbt <0.96, 0.90, 0.80, 0.1> } finish { emission srgb <0.95, 0.72, 0.45> * 0.75 diffuse 0.5, 0.3 } no_shadow translate y * 1.42 }
  #for (I, 0, 2) cone { <0.28, 0, 0>, 0.011, <0.02, 1.38, 0>, 0.015 rotate y * (I * 120 + 50) texture { Table } } #end
  cylinder { <0, 1.34, 0>, <0, 1.5, 0>, 0.018 pigment { srgb <0.75, 0.6, 0.35> } finish { metallic specular 0.5 } }
  translate <2.02, 0, -0.45>
}

// Plant in a basket.
#macro Pt(U, V)
  #local W = 0.085 * pow(sin(pi * min(max(U, 0), 1)) + 1e-6, 0.8);
  <U * 0.5, 0.55 * U - 0.75 * U * U + 0.35 * abs(V - 0.5) * W * 4, (V - 0.5) * 2 * W>
#end
#declare Leaf = object { SurfaceMesh(0, 1, 0, 1, 16, 8) }
union {
  #for (I, 0, 30)
    #local A = I * 137.5; #local H = 0.35 + I * 0.019; #local T = rand(Sd);
    object { Leaf scale (1 - I * 0.01) rotate z * (10 + I * 1.5) rotate y * A translate y * H
      pigment { srgb <0.16 + T * 0.1, 0.33 + T * 0.1, 0.17> } finish { diffuse 0.75, 0.2 specular 0.25 roughness 0.04 } }
  #end
  cylinder { <0, 0.2, 0>, <0, 0.95, 0>, 0.016 pigment { srgb <0.35, 0.28, 0.18> } }
  #for (I, 0, 13) torus { 0.15 + 0.02 * sin(I / 13 * pi), 0.0125 translate y * (0.015 + I * 0.022) pigment { srgb <0.74, 0.58, 0.38> * (0.9 + mod(I, 2) * 0.12) } normal { radial 1.2 sine_wave frequency 40 } } #end
  cylinder { 0, <0, 0.28, 0>, 0.148 pigment { srgb <0.2, 0.14, 0.1> } }
  translate <-1.98, 0, -0.52>
}
