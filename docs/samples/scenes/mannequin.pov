// A dressed shop figure in a photo studio. Units: centimetres.
#version 3.7;
#include "garment.inc"
global_settings { assumed_gamma 1.0 max_trace_level 5 IndirectLight(40, 1, 1.0) }
#default { finish { ambient 0 diffuse 0.85 } }

camera { location <-40, 112, -480> right x * 3/4 up y angle 17.8 look_at <0, 90, 0> }
SoftLight(<-250, 280, -260>, <0, 110, 0>, 110, 110, srgb <1, 0.97, 0.92> * 1.22, 5)
light_source { <300, 170, -260> srgb <0.80, 0.88, 1> * 0.50 shadowless }
light_source { <130, 240, 190> srgb <1, 0.93, 0.82> * 0.62 area_light x * 40, y * 40, 3, 3 adaptive 1 jitter }
sky_sphere { pigment { rgb 0.3 } }

// Paper backdrop curving from floor to wall.
#macro Pt(U, V)
  #local S = V * 900;
  #local A = max(0, min(pi / 2, (S - 380) / 120));
  <(U - 0.5) * 1400, (A < pi / 2 ? 120 * (1 - cos(A)) : 120 + (S - 380 - 60 * pi)), (S < 380 ? S - 250 : 130 + 120 * sin(A))>
#end
object { SurfaceMesh(0, 1, 0, 1, 4, 120) pigment { srgb <0.68, 0.57, 0.50> } }

#declare Shell = texture {
  pigment { srgb <0.90, 0.86, 0.80> }
  finish { diffuse 0.82 specular 0.18 roughness 0.03 reflection { 0.0, 0.15 fresnel on } conserve_energy }
}

// Head and neck: an egg with a hint of face.
#declare HeadSizes = array[15] {
  <142, 9.5, 7.5, 2>, <147, 6.4, 6.2, 2>, <151, 5.6, 5.8, 1.6>, <155, 5.5, 5.9, 1>, <157.5, 5.7, 6.8, 0>, <160, 6.6, 8.7, -1.2>, <164, 7.7, 9.6, -0.8>,
  <168, 8.7, 10.2, -0.2>, <172, 9.1, 10.6, 0.3>, <176, 8.7, 10.2, 0.7>, <179, 7.7, 9.0, 0.9>, <181.4, 6.0, 7.0, 1>, <183, 4.1, 4.8, 1>, <183.9, 2.2, 2.6, 1>, <184.3, 0.05, 0.05, 1>
}
#declare HeadCurve = SizeCurve(HeadSizes)
#macro Pt(U, V)
  #local H = 142 + min(V, 1) * 42.3;
  #local P = OnBody(HeadCurve, U, H, 0);
  #local Front = pow(max(0, cos(U)), 10);
  P - z * (1.5 * Front * exp(-pow((H - 167) / 2.4, 2)) + 0.7 * Front * exp(-pow((H - 161.5) / 1.8, 2)) - 0.8 * pow(max(0, cos(U)), 2) * exp(-pow((H - 171) / 2.2, 2)))
#end
object { SurfaceMesh(-pi, pi, 0, 1, 90, 90) texture { Shell } interior { ior 1.5 } translate y * -5 }

// Knitted top with a roll neck.
#declare TopSizes = array[12] {
  <76, 17.4, 12.0, 0>, <84, 16.6, 11.5, 0>, <98, 14.6, 10.2, 0>, <108, 15.6, 10.8, -0.3>, <120, 17.6, 12.2, -1>, <128, 17.8, 11.6, -0.4>, <135, 17.2, 9.8, 0.6>,
  <140, 13.5, 8.0, 1.4>, <143.5, 8.6, 7.0, 2>, <146, 6.9, 6.8, 2>, <152, 6.5, 6.6, 1.6>, <158, 6.4, 6.6, 1>
}
#declare Torso = SizeCurve(TopSizes)
#declare Knit = texture {
  pigment { srgb <0.88, 0.83, 0.74> }
  normal { gradient x 0.9 sine_wave scale 1.05 }
  finish { diffuse 0.88 }
}
#macro Pt(U, V) OnBody(Torso, U, 78 + V * 72, 0.3 * sin(V * 200) * (V > 0.92 ? 0.2 : 0)) #end
object { SurfaceMesh(-pi, pi, 0, 1, 80, 90) texture { Knit } }
torus { 6.35, 0.75 scale <1, 1, 1.02> translate <0, 150, 1.6> texture { Knit } }

// Jacket, open in front.
#declare Wool = srgb <0.20, 0.27, 0.42>;
#declare Jacketing = texture {
  pigment { granite color_map { [0 Wool * 0.72] [0.5 Wool] [1 Wool * 1.35] } scale 0.9 }
  normal { granite 0.2 scale 0.7 }
  finish { diffuse 0.9 specular 0.04 roughness 0.2 }
}
#declare JacketSizes = array[11] {
  <60, 21.0, 14.8, 0>, <70, 20.4, 14.4, 0>, <84, 18.6, 13.2, 0>, <98, 17.4, 12.2, 0>, <110, 18.6, 12.8, -0.2>, <121, 20.6, 13.9, -0.8>, <129, 21.0, 13.2, 0>,
  <136, 20.6, 11.2, 0.8>, <141.5, 16.5, 9.4, 1.5>, <145, 10.6, 8.4, 2>, <148, 8.4, 8, 2>
}
#declare Jacket = SizeCurve(JacketSizes)
#macro Edge(H) (0.22 + 0.10 * (H < 98 ? pow((98 - H) / 36, 2) * 1.9 : 0) + (H > 98 ? 0.36 * pow((H - 98) / 48, 1.1) : 0)) #end
#macro JacketFolds(A, H)
  (0.35 * sin(H * 0.33 + A * 4) * exp(-pow((H - 98) / 16, 2)) + 0.5 * sin(A * 6 + 1) * max(0, 1 - H / 96) + 0.25 * sin(H * 0.21 - A * 5))
#end
#macro Panel(Side)
  #macro Pt(U, V)
    #local H = 62 + V * 85;
    #local G = Edge(H);
    #local A = Side * (G + U * (pi - G));
    OnBody(Jacket, A, H, JacketFolds(A, H))
  #end
  SurfaceMesh(0, 1, 0, 1, 90, 100)
#end
#macro Lapel(Side)
  #macro Pt(U, V)
    #local H = 97 + V * 44;
    #local W = 0.50 * pow(sin(pi * 0.5 * min(1, max(V, 0) * 1.15)), 1.1) + 0.01;
    #local A = Side * (Edge(H) - 0.03 + U * W);
    OnBody(Jacket, A, H + U * 2.6 * V, 0.7 + 1.3 * sin(pi * min(max(U, 0), 1)) + 0.3 * (1 - U))
  #end
  SurfaceMesh(0, 1, 0, 1, 24, 50)
#end
#macro Pt(U, V)
  #local A = 0.95 + U * (2 * pi - 1.9);
  #local F = 0.5 - 0.5 * cos(A);
  #local P = OnBody(Jacket, A, 146.5, 0.9 + 4.0 * V * V);
  <P.x, 147.6 + 2.4 * F - 8.5 * V * V + (1 - F) * -2.5 + 1.3 * sin(pi * min(max(V, 0), 1)), P.z>
#end
#declare Collar = object { SurfaceMesh(0, 1, 0, 1, 70, 18) }
#macro Sleeve(Side)
  #local Way = spline { natural_spline
    -0.1, <Side * 9, 135, 1> 0, <Side * 13.5, 133.5, 1> 0.07, <Side * 17.4, 131.2, 0.8> 0.15, <Side * 20.8, 124.5, 0.6> 0.4, <Side * 24.4, 106, 1> 0.6, <Side * 26.8, 93, -0.5> 0.8, <Side * 28.2, 81, -5> 1, <Side * 28.4, 69, -10.5> 1.1, <Side * 28.4, 63, -13> }
  #local Girth = spline { natural_spline
    -0.1, <3, 0, 0> 0, <4.4, 0, 0> 0.07, <5.9, 0, 0> 0.15, <6.7, 0, 0> 0.4, <6.1, 0, 0> 0.6, <5.8, 0, 0> 0.8, <5.4, 0, 0> 1, <5.0, 0, 0> 1.1, <4.9, 0, 0> }
  Tube(Way, Girth, 0.94, 0.035, 90, 44)
#end
union {
  object { Panel(-1) } object { Panel(1) } object { Lapel(-1) } object { Lapel(1) } object { Collar } object { Sleeve(-1) } object { Sleeve(1) }
  texture { Jacketing }
}
// Pocket welts and a breast pocket square.
#macro Welt(A0, A1, H0, Drop, Tone, Proud)
  #macro Pt(U, V)
    #local A = A0 + U * (A1 - A0);
    OnBody(Jacket, A, H0 - V * Drop, JacketFolds(A, H0) + Proud)
  #end
  object { SurfaceMesh(0, 1, 0, 1, 20, 6) texture { Jacketing pigment { granite color_map { [0 Tone * 0.75] [1 Tone * 1.3] } scale 0.9 } } }
#end
Welt(0.66, 1.14, 80, 4.6, Wool * 0.92, 1.0)
Welt(-1.14, -0.66, 80, 4.6, Wool * 0.92, 1.0)
Welt(0.72, 1.02, 122, 1.6, Wool * 0.75, 0.9)
Welt(0.76, 0.98, 125.2, 3.3, srgb <0.80, 0.42, 0.28>, 0.85)

// Hands.
#macro Hand(Side)
  union {
    cone { <0, 3, 0>, 2.7, <0, -3, 0>, 2.5 }
    sphere { 0, 1 scale <2.1, 5.4, 3.7> translate <0, -6.5, 0> }
    #for (I, 0, 3)
      #local Z = -2.6 + I * 1.7; #local L = 1 - 0.1 * abs(I - 1.3);
      #local A = <0, -9.6, Z>; #local B = <-Side * 0.5, -9.6 - 4 * L, Z * 1.05>; #local C = <-Side * 1.6, -9.6 - 7.2 * L, Z * 1.02>; #local D = <-Side * 2.9, -9.6 - 9.4 * L, Z>;
      sphere { A, 0.95 } cone { A, 0.95, B, 0.86 } sphere { B, 0.86 } cone { B, 0.86, C, 0.76 } sphere { C, 0.76 } cone { C, 0.76, D, 0.62 } sphere { D, 0.62 }
    #end
    sphere { <0, -4.2, -2.8>, 1.25 } cone { <0, -4.2, -2.8>, 1.25, <-Side * 1.2, -8, -5.0>, 0.9 } sphere { <-Side * 1.2, -8, -5.0>, 0.9 }
    cone { <-Side * 1.2, -8, -5>, 0.9, <-Side * 2.0, -10.8, -5>, 0.68 } sphere { <-Side * 2.0, -10.8, -5>, 0.68 }
    scale 1.15 rotate x * 22 rotate y * Side * 18
    translate <Side * 28.4, 66.8, -11.4>
  }
#end
object { Hand(-1) texture { Shell } interior { ior 1.5 } }
object { Hand(1) texture { Shell } interior { ior 1.5 } }

// Trousers.
#declare Twill = texture {
  pigment { granite color_map { [0 srgb <0.56, 0.47, 0.36>] [1 srgb <0.70, 0.60, 0.47>] } scale 1.2 }
  normal { gradient <1, 1, 0> 0.2 sine_wave scale 0.5 }
  finish { diffuse 0.88 }
}
#macro Leg(Side)
  #local Way = spline { natural_spline
    -0.1, <Side * 8.0, 88, 0> 0, <Side * 8.6, 80, 0> 0.3, <Side * 10.0, 59, -0.6> 0.55, <Side * 11.0, 41, 0> 0.8, <Side * 11.8, 22, 1.8> 1, <Side * 12.4, 8.5, 2.4> 1.1, <Side * 12.6, 4, 2.4> }
  #local Girth = spline { natural_spline
    -0.1, <9.3, 0, 0> 0, <9.4, 0, 0> 0.3, <8.4, 0, 0> 0.55, <7.2, 0, 0> 0.8, <6.6, 0, 0> 1, <6.5, 0, 0> 1.1, <6.5, 0, 0> }
  #macro Pt(U, V)
    #local C = Way(U); #local R = Girth(U).x;
    #local Crease = 1.3 * pow(max(0, -sin(V)), 14);
    #local W = 0.35 * sin(U * 34 + sin(V + Side) * 2) * (exp(-pow((U - 0.55) / 0.12, 2)) + 1.5 * exp(-pow((U - 1) / 0.1, 2)) + 0.25);
    <C.x + (R + W) * cos(V), C.y, C.z + (R + W + Crease) * 1.12 * sin(V)>
  #end
  SurfaceMesh(0, 1, 0, 2 * pi, 110, 64)
#end
union { object { Leg(-1) } object { Leg(1) } texture { Twill } }

// Shoes.
#macro Shoe(Side)
  union {
    blob {
      threshold 0.3
      sphere { 0, 9, 1 scale <0.62, 0.66, 1.0> translate <0, 5.2, 1> }
      sphere { 0, 8.4, 1 scale <0.66, 0.44, 1.35> translate <Side * 0.6, 3.4, -9> }
      pigment { srgb <0.24, 0.13, 0.08> } finish { specular 0.4 roughness 0.02 reflection { 0.0, 0.25 fresnel on } conserve_energy } interior { ior 1.5 }
    }
    cylinder { <0, 0, 2.2>, <0, 1.5, 2.2>, 4.2 scale <0.9, 1, 1> pigment { srgb 0.08 } }
    cylinder { <0, 0, 0>, <0, 1.2, 0>, 4.4 scale <1, 1, 1.75> translate <Side * 0.6, 0, -8.5> pigment { srgb 0.08 } }
    scale 1.08 rotate y * -Side * 9 translate <Side * 12.2, 2, 2.2>
  }
#end
Shoe(-1) Shoe(1)
// A round base.
union { cylinder { 0, <0, 2.1, 0>, 33.2 } cylinder { <0, 0.6, 0>, <0, 1.5, 0>, 33.8 } torus { 33.2, 0.6 translate y * 1.5 } torus { 33.2, 0.6 translate y * 0.6 } texture { Oak(srgb <0.74, 0.57, 0.40>, srgb <0.58, 0.41, 0.26>, 0.3) scale 10 } interior { ior 1.5 } }
